/** The resource limits of setrlimit(2), by the names that `--ulimit` uses. */
export const ulimitNames = [
  'as',
  'core',
  'cpu',
  'data',
  'fsize',
  'locks',
  'memlock',
  'msgqueue',
  'nice',
  'nofile',
  'nproc',
  'rss',
  'rtprio',
  'rttime',
  'sigpending',
  'stack',
] as const
export type UlimitName = (typeof ulimitNames)[number]
