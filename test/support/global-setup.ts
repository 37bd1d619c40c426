/**
 * Before the tests: compiles the programs that the shim is tested with, removes what runs left that were killed, and starts a guard that does
 * the same when this run is.
 */
import {execFileSync, spawn} from 'node:child_process'
import {Socket} from 'node:net'
import {join} from 'node:path'
import {removeDeadRuns} from './remove-run.ts'
import {runVariable, toRun} from './test-run.ts'

export async function setup(): Promise<void> {
  const run = toRun(process.pid)
  // Each project of tests calls this.
  if (process.env[runVariable] === run) return
  process.env[runVariable] = run
  execFileSync('sh', ['scripts/build-shim.sh', '--test'], {cwd: join(import.meta.dirname, '../..'), stdio: 'inherit'})
  await removeDeadRuns()
  startGuard(run)
}

/** In a session of its own, so that Ctrl+C does not end it. The end of its input tells it that this process has ended. */
function startGuard(run: string): void {
  const program = join(import.meta.dirname, 'guard.ts')
  const guard = spawn(process.execPath, [program, run], {detached: true, stdio: ['pipe', 'ignore', 'ignore']})
  guard.unref()
  if (guard.stdin instanceof Socket) guard.stdin.unref()
}
