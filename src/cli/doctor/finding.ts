// One line of `venom doctor`: what was looked at, how it is, and how to mend it.
export interface Finding {
  name: string;
  /** `fail` keeps Venom from working; `warn` takes something away; `info` is no problem at all. */
  status: 'ok' | 'info' | 'warn' | 'fail';
  detail: string;
  mend?: string;
}
