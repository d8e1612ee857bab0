// The key of a server that needs one. It stays in this browser.
const STORAGE = 'venom.api-key';

export const apiKey = (): string => localStorage.getItem(STORAGE) ?? '';
export const saveApiKey = (key: string): void => localStorage.setItem(STORAGE, key);
