// X-Venom-Strict-Params: true, the strict mode of clients whose bodies have no room for it.
export const isStrict = (header: string | string[] | undefined): boolean =>
  typeof header === 'string' && /^(true|1)$/i.test(header.trim());
