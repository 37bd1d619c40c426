/** What runc says, in the words of the error table. The only file that knows runc's wording (runc 1.1 to 1.3, crun). */
import {readFile} from 'node:fs/promises'
import * as z from 'zod'
import {type ErrorCode, TallyError} from '../../kernel/errors.ts'
import type {RuncVerb} from './runc.ts'

export interface FailedCall {
  readonly verb: RuncVerb
  readonly binary: string
  readonly timeoutMs: number
  readonly result: {
    readonly timedOut: boolean
    readonly exitCode?: number | undefined
    readonly signal?: string | undefined
    readonly code?: string | undefined
    readonly stderr?: unknown
  }
  readonly log: string | undefined
}

/** In order: the first that matches names the error. */
const wordings: readonly (readonly [RegExp, ErrorCode])[] = [
  [/executable file not found|exec: .*: no such file or directory|executable .*not found/i, 'COMMAND_NOT_FOUND'],
  [/exec: .*(permission denied|is a directory)|exec format error/i, 'COMMAND_NOT_EXECUTABLE'],
  [/unable to find (user|group)|no matching entries in (passwd|group) file/i, 'USER_NOT_FOUND'],
  [/container with id exists|container with given ID already exists|container .* already exists/i, 'CONTAINER_EXISTS'],
  [/container does not exist|container ".*" does not exist|does not exist.*container/i, 'CONTAINER_NOT_FOUND'],
  [/invalid rootfs|rootfs \([^)]*\) does not exist/i, 'ROOTFS_INVALID'],
  [/JSON specification file|config\.json|cannot unmarshal|invalid character/i, 'BUNDLE_INVALID'],
]

const alreadyEnded =
  /container not running|process already finished|process not running|container .*is not running|container that has stopped/i

const verbCodes: Readonly<Record<RuncVerb, ErrorCode>> = {
  create: 'RUNC_CREATE_FAILED',
  start: 'RUNC_START_FAILED',
  exec: 'RUNC_EXEC_FAILED',
  kill: 'RUNC_KILL_FAILED',
  pause: 'RUNC_PAUSE_FAILED',
  resume: 'RUNC_RESUME_FAILED',
  checkpoint: 'CHECKPOINT_FAILED',
  restore: 'RESTORE_FAILED',
  update: 'RUNC_UPDATE_FAILED',
  delete: 'RUNC_DELETE_FAILED',
  state: 'RUNC_STATE_FAILED',
}

export async function toRuncError({verb, binary, timeoutMs, result, log}: FailedCall): Promise<TallyError> {
  const details = {runtime: binary, verb}
  if (result.timedOut)
    return new TallyError('RUNTIME_TIMEOUT', `${binary} ${verb} did not end within ${timeoutMs} ms and was killed`, {details})
  if (result.code === 'ENOENT' || result.code === 'EACCES') {
    const message = `cannot execute the OCI runtime ${binary} (${result.code}); on Debian and Ubuntu: apt-get install runc`
    return new TallyError('RUNTIME_NOT_FOUND', message, {details})
  }
  const reason = (log && (await readLastError(log))) || (typeof result.stderr === 'string' && result.stderr.trim()) || describeEnd(result)
  const [, code] = wordings.find(([wording]) => wording.test(reason)) ?? [undefined, verbCodes[verb]]
  return new TallyError(code, `${binary} ${verb}: ${reason}`, {details: {...details, ...(alreadyEnded.test(reason) && {finished: true})}})
}

export function isUnknownContainer(error: unknown): boolean {
  return error instanceof TallyError && error.code === 'CONTAINER_NOT_FOUND'
}

const logLineSchema = z.object({level: z.string(), msg: z.string()})

/** The reason is the last line of level error or worse. */
async function readLastError(log: string): Promise<string | undefined> {
  const text = await readFile(log, 'utf8').catch(() => '')
  return text
    .split('\n')
    .filter(Boolean)
    .flatMap((line) => {
      const entry = logLineSchema.safeParse(parseJson(line))
      return entry.success && (entry.data.level === 'error' || entry.data.level === 'fatal') ? [entry.data.msg] : []
    })
    .at(-1)
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}

function describeEnd({exitCode, signal}: FailedCall['result']): string {
  return signal ? `ended by ${signal}` : `exit status ${exitCode}`
}
