/**
 * What the processes of a node have in their environment (docs/environment.md): a known list, whatever was in the environment of
 * `tally up`. Every hook of a container sees the environment of the OCI runtime.
 */
type Variables = Readonly<Record<string, string | undefined>>

/** The same in every process. */
const fixed = {HOME: '/root', LANG: 'C.UTF-8'} as const

/** Taken over from the caller in every process: to find programs, and for local times. */
const ofEverybody = ['PATH', 'TZ'] as const

/** Taken over in coordinator and supervisors as well: temporary files, certificates, diagnostics, tests. */
const ofOurs = [
  'TMPDIR',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'NODE_EXTRA_CA_CERTS',
  'NODE_OPTIONS',
  'NODE_V8_COVERAGE',
  'TALLY_LOG_LEVEL',
  'TALLY_STATE_DIR',
  'TALLY_FAILPOINTS',
] as const

export const environmentNames = {fixed: Object.keys(fixed), ofEverybody, ofOurs} as const

/** The environment of coordinator and supervisors. */
export function toOwnEnvironment(environment: Variables = process.env): Record<string, string> {
  return {...fixed, ...pick(environment, [...ofEverybody, ...ofOurs])}
}

/** The environment of the programs that they start: the OCI runtime, nats-server, criu. */
export function toToolEnvironment(environment: Variables = process.env): Record<string, string> {
  return {...fixed, ...pick(environment, ofEverybody)}
}

function pick(environment: Variables, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (environment[name] === undefined ? [] : [[name, environment[name]]])))
}
