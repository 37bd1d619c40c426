/** criu, which dumps and restores processes for the OCI runtime: the check of it, its configuration, and the reasons of its failures. */
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {TallyError, toErrorBody} from '../kernel/errors.ts'
import type {CheckpointManifest} from './checkpoint-image.ts'
import {runProgram} from './run-program.ts'

const checkTimeoutMs = 10_000
const mostErrors = 10

/**
 * Starts a process: the child reaper must not treat it as an orphan.
 * @throws TallyError CRIU_UNAVAILABLE
 */
export async function checkCriu(): Promise<void> {
  const {failed, code, stderr, exitCode} = await runProgram('criu', ['check'], {timeoutMs: checkTimeoutMs})
  if (!failed) return
  const why =
    code === 'ENOENT'
      ? 'criu is not installed; on Debian and Ubuntu: apt-get install criu'
      : `criu check says: ${stderr.trim().split('\n').at(-1) || `exit status ${exitCode}`}`
  throw new TallyError('CRIU_UNAVAILABLE', `this host cannot checkpoint or restore: ${why}`)
}

/**
 * criu would look for the FIFOs of stdio in the file systems of the container, where they are not. The configuration file makes them
 * external, and at a restore names the descriptors that replace them (criu(8)). runc has no flags for that.
 * @returns the path of the file
 */
export function writeCriuConfig(workDir: string, stdio: CheckpointManifest['stdio'], what: 'dump' | 'restore'): string {
  mkdirSync(workDir, {recursive: true, mode: 0o700})
  const file = join(workDir, `${what}.conf`)
  const lines = stdio.flatMap((name, fd) => {
    if (name === null) return []
    return [what === 'dump' ? `external ${name}` : `inherit-fd fd[${fd}]:${name}`]
  })
  writeFileSync(file, `${lines.join('\n')}\n`, {mode: 0o600})
  return file
}

/** The runtime only reports that criu has failed. The reason is the first error in the log of criu; later ones are its consequences. */
export function explainCriuFailure(error: unknown, workDir: string, what: 'dump' | 'restore'): unknown {
  const {code, details} = toErrorBody(error)
  if (code !== 'CHECKPOINT_FAILED' && code !== 'RESTORE_FAILED') return error
  const errors = readErrors(join(workDir, `${what}.log`))
  const [reason] = errors
  if (reason === undefined) return error
  return new TallyError(code, `criu could not ${what} the processes: ${reason}`, {details: {...details, errors}, cause: error})
}

/** A warning about the limit of open files, logged as an error, is not the reason. */
const harmless = /RLIMIT_NOFILE/

/** The messages, without time and source position. */
function readErrors(log: string): readonly string[] {
  const errors = [...readIfThere(log).matchAll(/Error \([^)]*\): (.*)$/gm)].map(([, message = '']) => message)
  return errors.filter((message) => !harmless.test(message)).slice(0, mostErrors)
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
