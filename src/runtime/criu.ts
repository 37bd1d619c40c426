/** criu, which dumps and restores processes for the runtime: whether it can, how it is told of our FIFOs, and what it says went wrong. */
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'
import {execa} from 'execa'
import {toToolEnvironment} from '../kernel/environment.ts'
import {TallyError, toErrorBody} from '../kernel/errors.ts'
import type {CheckpointManifest} from './checkpoint-image.ts'

const checkTimeoutMs = 10_000
const errorsTold = 10

/**
 * Starts a process: whoever reaps orphans must not take it for one meanwhile.
 * @throws TallyError CRIU_UNAVAILABLE
 */
export async function checkCriu(): Promise<void> {
  const {failed, code, stderr, exitCode} = await execa('criu', ['check'], {
    reject: false,
    timeout: checkTimeoutMs,
    // It stops processes, itself among them, and what is stopped takes no other signal.
    killSignal: 'SIGKILL',
    // As for the runtime: SIGIO is not the end of this process.
    cleanup: false,
    extendEnv: false,
    env: toToolEnvironment(),
    cwd: '/',
  })
  if (!failed) return
  const why =
    code === 'ENOENT'
      ? 'criu is not installed; on Debian and Ubuntu: apt-get install criu'
      : `criu check says: ${stderr.trim().split('\n').at(-1) || `exit status ${exitCode}`}`
  throw new TallyError('CRIU_UNAVAILABLE', `this host cannot checkpoint or restore: ${why}`)
}

/**
 * criu would look for our FIFOs in the file systems of the container, where they are not: it is told to leave them to us, and given
 * others in their place later. runc has no flags for that, so they go into a configuration file (criu(8)).
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

/** The runtime only says that criu has failed: why is the first error of criu's own log, and what follows from it comes after. */
export function explainCriuFailure(error: unknown, workDir: string, what: 'dump' | 'restore'): unknown {
  const {code, details} = toErrorBody(error)
  if (code !== 'CHECKPOINT_FAILED' && code !== 'RESTORE_FAILED') return error
  const errors = readErrors(join(workDir, `${what}.log`))
  const [reason] = errors
  if (reason === undefined) return error
  return new TallyError(code, `criu could not ${what} the processes: ${reason}`, {details: {...details, errors}, cause: error})
}

/** That it may not have more files open than others is no reason. */
const harmless = /RLIMIT_NOFILE/

/** Without time and place in its source. */
function readErrors(log: string): readonly string[] {
  const errors = [...readIfThere(log).matchAll(/Error \([^)]*\): (.*)$/gm)].map(([, message = '']) => message)
  return errors.filter((message) => !harmless.test(message)).slice(0, errorsTold)
}

function readIfThere(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}
