// Which names of installed models a name may stand for, wherever somebody types or sends one. Pure.

/** The first that is installed is meant. As with Ollama, a name without a tag is also its `:latest`. */
export const namesMeantBy = (name: string): readonly string[] =>
  name.includes(':', name.lastIndexOf('/') + 1) ? [name] : [name, `${name}:latest`];
