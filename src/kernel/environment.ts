/**
 * What the processes of a node have in their environment (docs/environment.md): a known list, whatever whoever typed `tally up` had in
 * his. What is in the environment of the OCI runtime every hook of a container sees.
 */
type Variables = Readonly<Record<string, string | undefined>>

/** The same for everybody. */
const fixed = {HOME: '/root', LANG: 'C.UTF-8'} as const

/** Of the caller's, for programs to be found, and for times. */
const ofEverybody = ['PATH', 'TZ'] as const

/** And for our own processes: where they make temporary files, whom they trust, what they tell. */
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

/** Of coordinator and supervisors. */
export function toOwnEnvironment(environment: Variables = process.env): Record<string, string> {
  return {...fixed, ...pick(environment, [...ofEverybody, ...ofOurs])}
}

/** Of the programs that they start: the OCI runtime, nats-server, criu. */
export function toToolEnvironment(environment: Variables = process.env): Record<string, string> {
  return {...fixed, ...pick(environment, ofEverybody)}
}

function pick(environment: Variables, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (environment[name] === undefined ? [] : [[name, environment[name]]])))
}
