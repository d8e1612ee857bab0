// What a model server may know of our environment: what programs need to run, never keys or settings.

const PASSED_ON = [
  'PATH',
  'HOME',
  'USER',
  'LANG',
  'TMPDIR',
  'LD_LIBRARY_PATH',
  'CUDA_VISIBLE_DEVICES',
  'HIP_VISIBLE_DEVICES',
  'ROCR_VISIBLE_DEVICES',
  'XDG_CACHE_HOME',
  'HF_HOME',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'SSL_CERT_FILE',
];

export function serverEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  added: Readonly<Record<string, string>>,
  also: readonly string[] = [],
): Record<string, string> {
  const passed = [...PASSED_ON, ...also].flatMap((name) => {
    const value = environment[name];
    return value === undefined ? [] : [[name, value] as const];
  });
  return { ...Object.fromEntries(passed), ...added };
}
