/** Errors of the runtime, as codes of the error table. The only file that depends on the wording of runc 1.1 to 1.5 and of crun. */
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
  /** The soft limit of open files of the process that was to be started. */
  readonly openFiles?: number | undefined
}

/** What runc itself writes first. After it come paths and names of the user, and the output of hooks, which can be any text. */
const begin =
  /^(?:(?:runc )?(?:create|run|exec|restore) failed: )?(?:unable to start container process: )?(?:error during container init: )?/.source

/** Matched at the beginning, or at the end, where runc writes the errno. The first pattern that matches decides. */
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

/** EMFILE, which the limit of the new process causes: runc starts the program as a process that has this limit already. */
const outOfFiles = toPattern(/.*: too many open files$/)

/** runc names the file in which it found the directory. The user may have given the directory otherwise. */
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

export async function toRuncError({verb, binary, timeoutMs, result, log, openFiles}: FailedCall): Promise<TallyError> {
  const details = {runtime: binary, verb}
  if (result.timedOut)
    return new TallyError('RUNTIME_TIMEOUT', `${binary} ${verb} did not end within ${timeoutMs} ms and was killed`, {details})
  if (result.code === 'ENOENT' || result.code === 'EACCES' || result.code === 'ENOEXEC' || result.code === 'ENOTDIR') {
    const message = `cannot execute the OCI runtime ${binary} (${result.code}); on Debian and Ubuntu: apt-get install runc`
    return new TallyError('RUNTIME_NOT_FOUND', message, {details})
  }
  const reason = (log && (await readLastError(log))) || (typeof result.stderr === 'string' && result.stderr.trim()) || describeEnd(result)
  if (openFiles !== undefined && outOfFiles.test(reason)) {
    const message = `expected a limit of open files (nofile) that lets the runtime start a program, got ${openFiles}`
    return new TallyError(verbCodes[verb], `${binary} ${verb}: ${message}`, {details: {...details, reason}})
  }
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

/** The reason of a failure: the last line with level error or worse. */
export async function readLastError(log: string): Promise<string | undefined> {
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
