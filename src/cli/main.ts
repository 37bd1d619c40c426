/** The `tally` command: its verbs, and how it ends when one fails. */
import {Command, CommanderError} from 'commander'
import {toErrorBody} from '../kernel/errors.ts'
import {version} from '../kernel/version.ts'
import {addCreate} from './create.ts'
import {addDown} from './down.ts'
import {addEvents} from './events.ts'
import {exitCodes, toExitCode} from './exit-codes.ts'
import {addInfo} from './info.ts'
import {addInspect} from './inspect.ts'
import {addKill} from './kill.ts'
import {addLogs} from './logs.ts'
import {addNodeOptions} from './node-options.ts'
import {printError} from './print.ts'
import {addPs} from './ps.ts'
import {addRm} from './rm.ts'
import {addRun} from './run.ts'
import {addStart} from './start.ts'
import {addStop} from './stop.ts'
import {addUp} from './up.ts'
import {addVersion} from './version.ts'
import {addWait} from './wait.ts'

const verbs = [
  addUp,
  addDown,
  addRun,
  addCreate,
  addStart,
  addStop,
  addKill,
  addWait,
  addRm,
  addPs,
  addInspect,
  addLogs,
  addEvents,
  addInfo,
  addVersion,
] as const

// A reader that has seen enough, such as head, is no failure.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? exitCodes.ok : exitCodes.failed))
}

const program = new Command('tally')
  .description('Runs OCI containers, each under a supervisor of its own, and keeps a ledger of everything that happens to them.')
  .version(version)
  .enablePositionalOptions()
  .showHelpAfterError('(--help shows what there is)')
  .configureOutput({outputError: (text, write) => write(text.replace(/^error: /, 'tally: '))})
  .exitOverride()
addNodeOptions(program)
for (const add of verbs) add(program)

try {
  await program.parseAsync()
} catch (error) {
  process.exitCode = fail(error)
}

function fail(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCodes.ok : isRun() ? exitCodes.runFailed : exitCodes.usage
  const body = toErrorBody(error)
  printError(body, {json: process.argv.includes('--json')})
  if (body.kind === 'bug' && process.env['TALLY_LOG_LEVEL'] === 'debug') console.error(error)
  return toExitCode(body.code)
}

/** `run` keeps the low numbers for the container. */
function isRun(): boolean {
  return program.args[0] === 'run'
}
