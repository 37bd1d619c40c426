/** What runc says, in the words of the error table. The only file that knows runc's wording (runc 1.1 to 1.5, crun). */
import {readFile} from 'node:fs/promises'
import * as z from 'zod'
import {type ErrorCode, TallyError} from '../../kernel/errors.ts'
import type {RuncVerb} from './verbs.ts'

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

/** What comes first is runc's own. Behind that may be paths and names of the user, and what hooks have printed: those may say anything. */
const begin =
  /^(?:(?:runc )?(?:create|run|exec|restore) failed: )?(?:unable to start container process: )?(?:error during container init: )?/.source

/** Anchored at the beginning, or at the end, where an errno of the kernel is. In order: the first that matches names the error. */
const wordings: readonly (readonly [RegExp, ErrorCode])[] = [
  [toPattern(/exec: ".*: (?:executable file not found in \$PATH|no such file or directory)$/), 'COMMAND_NOT_FOUND'],
  [toPattern(/exec: "/), 'COMMAND_NOT_EXECUTABLE'],
  [toPattern(/exec \/.*: no such file or directory$/), 'COMMAND_NOT_FOUND'],
  [toPattern(/exec \/.*: exec format error$/), 'COMMAND_NOT_EXECUTABLE'],
  [/^executable file `.*` not found/, 'COMMAND_NOT_FOUND'],
  [/^open executable: /, 'COMMAND_NOT_EXECUTABLE'],
  [toPattern(/unable to find (?:user|group) /), 'USER_NOT_FOUND'],
  [toPattern(/container with (?:id exists|given ID already exists)|container `[^`]*` already exists/), 'CONTAINER_EXISTS'],
  [toPattern(/container (?:["`][^"`]*["`] )?does not exist/), 'CONTAINER_NOT_FOUND'],
  [toPattern(/invalid rootfs: |rootfs \(/), 'ROOTFS_INVALID'],
  [toPattern(/JSON specification file |json: |invalid character |unexpected EOF$|unexpected end of JSON/), 'BUNDLE_INVALID'],
  [toPattern(/namespace \{".*"\} does not exist$/), 'UNSUPPORTED'],
]

const alreadyEnded = toPattern(
  /container not running|(?:os: )?process already finished|process not running|container \S+ is not running|cannot (?:start|exec in) a (?:container that has stopped|stopped container)/,
)

/** It is none of the user's: what was asked for is. */
const workingDirectory = toPattern(/chdir to cwd \(".*"\)(?<where> set in config\.json) failed: /)

function toPattern({source}: RegExp): RegExp {
  return new RegExp(`${begin}(?:${source})`, 's')
}

export const verbCodes: Readonly<Record<RuncVerb, ErrorCode>> = {
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
  if (result.code === 'ENOENT' || result.code === 'EACCES' || result.code === 'ENOEXEC' || result.code === 'ENOTDIR') {
    const message = `cannot execute the OCI runtime ${binary} (${result.code}); on Debian and Ubuntu: apt-get install runc`
    return new TallyError('RUNTIME_NOT_FOUND', message, {details})
  }
  const reason = (log && (await readLastError(log))) || (typeof result.stderr === 'string' && result.stderr.trim()) || describeEnd(result)
  const [, code] = wordings.find(([wording]) => wording.test(reason)) ?? [undefined, verbCodes[verb]]
  return new TallyError(code, `${binary} ${verb}: ${withoutWhere(reason)}`, {
    details: {...details, ...(alreadyEnded.test(reason) && {finished: true})},
  })
}

function withoutWhere(reason: string): string {
  const where = workingDirectory.exec(reason)?.groups?.['where']
  return where === undefined ? reason : reason.replace(where, '')
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
