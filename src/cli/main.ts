/** The `tally` command: its verbs, and how it ends when one fails. */
import {Command, CommanderError} from 'commander'
import {toErrorBody} from '../kernel/errors.ts'
import {version} from '../kernel/version.ts'
import {exitCodes, toExitCode, toRunExitCode} from './exit-codes.ts'
import {addNodeOptions, wantsJson} from './node-options.ts'
import {toOutputFailure} from './output-failure.ts'
import {printError} from './print.ts'
import {toSignalExit} from './watch-signals.ts'

/** In the order in which --help shows them. */
const verbs: Readonly<Record<string, () => Promise<(program: Command) => void>>> = {
  up: async () => (await import('./up.ts')).addUp,
  down: async () => (await import('./down.ts')).addDown,
  run: async () => (await import('./run.ts')).addRun,
  exec: async () => (await import('./exec.ts')).addExec,
  execs: async () => (await import('./execs.ts')).addExecs,
  attach: async () => (await import('./attach.ts')).addAttach,
  create: async () => (await import('./create.ts')).addCreate,
  start: async () => (await import('./start.ts')).addStart,
  stop: async () => (await import('./stop.ts')).addStop,
  kill: async () => (await import('./kill.ts')).addKill,
  pause: async () => (await import('./pause.ts')).addPause,
  resume: async () => (await import('./resume.ts')).addResume,
  checkpoint: async () => (await import('./checkpoint.ts')).addCheckpoint,
  restore: async () => (await import('./restore.ts')).addRestore,
  update: async () => (await import('./update.ts')).addUpdate,
  resize: async () => (await import('./resize.ts')).addResize,
  wait: async () => (await import('./wait.ts')).addWait,
  rm: async () => (await import('./rm.ts')).addRm,
  ps: async () => (await import('./ps.ts')).addPs,
  inspect: async () => (await import('./inspect.ts')).addInspect,
  top: async () => (await import('./top.ts')).addTop,
  stats: async () => (await import('./stats.ts')).addStats,
  logs: async () => (await import('./logs.ts')).addLogs,
  events: async () => (await import('./events.ts')).addEvents,
  explain: async () => (await import('./explain.ts')).addExplain,
  chart: async () => (await import('./chart.ts')).addChart,
  ui: async () => (await import('./ui.ts')).addUi,
  fsck: async () => (await import('./fsck.ts')).addFsck,
  info: async () => (await import('./info.ts')).addInfo,
  version: async () => (await import('./version.ts')).addVersion,
}

// A reader that has seen enough, such as head, is no failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(exitCodes.ok)
    process.exit(stream.fd === 1 ? fail(toOutputFailure(1, error)) : exitCodes.failed)
  })
}

const program = new Command('tally')
  .description('Runs OCI containers, each under a supervisor of its own, and keeps a ledger of everything that happens to them.')
  .version(version)
  .enablePositionalOptions()
  .showHelpAfterError('(--help shows what there is)')
  .configureOutput({outputError: (text, write) => write(text.replace(/^error: /, 'tally: '))})
  .exitOverride()
addNodeOptions(program)
/** What runs, once its options are known. */
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

/** Only what the command line names is loaded; all of them when it names none, for --help and for suggestions. */
function toVerbs(argv: readonly string[]): readonly (() => Promise<(program: Command) => void>)[] {
  const named = Object.keys(verbs).filter((name) => argv.includes(name))
  const isHelp = argv.includes('help') || named.length === 0
  return Object.entries(verbs).flatMap(([name, load]) => (isHelp || named.includes(name) ? [load] : []))
}

/** Loaded only where it is needed, as all that brings NATS in. */
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

/** `run` keeps the low numbers for the container. */
function isRun(): boolean {
  return ['run', 'exec', 'attach'].includes(program.args[0] ?? '')
}
