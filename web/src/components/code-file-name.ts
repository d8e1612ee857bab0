// What a code block is called as a file.
const ENDINGS: Readonly<Record<string, string>> = {
  bash: 'sh',
  shell: 'sh',
  zsh: 'sh',
  javascript: 'js',
  typescript: 'ts',
  python: 'py',
  ruby: 'rb',
  rust: 'rs',
  markdown: 'md',
  csharp: 'cs',
  'c++': 'cpp',
  'c#': 'cs',
  kotlin: 'kt',
  golang: 'go',
  plaintext: 'txt',
  text: 'txt',
  yaml: 'yml',
  dockerfile: 'dockerfile',
  makefile: 'mk',
};

export function codeFileName(language: string): string {
  const known = language.toLowerCase();
  return `code.${ENDINGS[known] ?? (/^[a-z0-9]{1,10}$/.test(known) ? known : 'txt')}`;
}
