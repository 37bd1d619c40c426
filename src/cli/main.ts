/** The `tally` command: which of its verbs are loaded, and how it ends when one fails. */
import {type Command, CommanderError} from 'commander'
import {toErrorBody} from '../kernel/errors.ts'
import {exitCodes, toExitCode, toRunExitCode} from './exit-codes.ts'
import {wantsJson} from './node-options.ts'
import {toOutputFailure} from './output-failure.ts'
import {printError} from './print.ts'
import {createProgram} from './program.ts'
import {verbs} from './verbs.ts'
import {toSignalExit} from './watch-signals.ts'

// A reader that closes the pipe early, such as head, is not a failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exitCodes.ok)
    process.exit(stream.fd === 1 ? fail(toOutputFailure(1, error)) : exitCodes.failed)
  })
}

const program = createProgram()
/** The verb that runs; the program itself until commander has parsed it. */
let verb: Command = program
program.hook('preAction', (_, action) => {
  verb = action
})
for (const load of toVerbs(process.argv)) (await load())(program)

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = fail(await fromNats(error))
}

/** Loads only the verbs that the command line names; all when it names none, for --help and suggestions. */
function toVerbs(argv: readonly string[]): readonly (() => Promise<(program: Command) => void>)[] {
  const named = Object.keys(verbs).filter((name) => argv.includes(name))
  const isHelp = argv.includes('help') || named.length === 0
  return Object.entries(verbs).flatMap(([name, load]) => (isHelp || named.includes(name) ? [load] : []))
}

/** Loaded only for an error of NATS, since the NATS library takes long to load. */
async function fromNats(error: unknown): Promise<unknown> {
  if (!(error instanceof Error) || error.name !== 'NatsError') return error
  return (await import('../messaging/jetstream.ts')).fromJetStream(error)
}

function fail(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : isRun() ? exitCodes.runFailed : exitCodes.usage
  const body = toErrorBody(error)
  printError(body, {json: wantsJson(verb)})
  if (body.kind === 'bug' && process.env['TALLY_LOG_LEVEL'] === 'debug') console.error(error)
  return toSignalExit(body) ?? (isRun() ? toRunExitCode(body.code) : toExitCode(body.code))
}

/** Whether low exit statuses belong to the process of a container. */
function isRun(): boolean {
  return ['run', 'exec', 'attach'].includes(program.args[0] ?? '')
}
