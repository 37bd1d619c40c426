/**
 * Whether the kernel has executed what the runtime was to start. runc ends without an error before it has: what becomes of its last
 * step is told by the process alone, by its name. execve(2) gives it that of the program, and a zombie keeps the one that it had.
 */
import {readFileSync} from 'node:fs'
import {join} from 'node:path'
import {setTimeout as sleep} from 'node:timers/promises'
import * as z from 'zod'
import {mostSpecBytes, readTextFile} from '../read-text-file.ts'
import {TallyError} from '../../kernel/errors.ts'
import {readProcessStat} from '../../linux/process-table.ts'
import {type ExecutionFault, findExecutionFault, type Program} from '../executable.ts'
import type {RuncVerb} from './verbs.ts'

const pollMs = {first: 1, most: 20} as const

/**
 * Waits until it is known, since hooks of the container may come first.
 * @returns false when it has ended as what it was before; true as well when it has not made up its mind in time, or nobody can tell
 */
export async function isExecutedSoon(pid: number, timeoutMs: number): Promise<boolean> {
  for (let [waitMs, leftMs]: [number, number] = [pollMs.first, timeoutMs]; leftMs > 0; waitMs = Math.min(waitMs * 2, pollMs.most)) {
    if (!isRuncs(pid)) return true
    if (hasFailedToExecute(pid)) return false
    await sleep(waitMs)
    leftMs -= waitMs
  }
  return true
}

/** A zombie that was never anything but runc. */
export function hasFailedToExecute(pid: number): boolean {
  return readProcessStat(pid)?.isZombie === true && isRuncs(pid)
}

/** `runc:[2:INIT]`, which it calls itself. */
function isRuncs(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('runc:[')
  } catch {
    return false
  }
}

const programSchema = z.object({args: z.array(z.string()), cwd: z.string().default('/'), env: z.array(z.string()).default([])})

/** @param file with the `process` of an OCI spec */
export function readProgram(file: string): Program | undefined {
  return programSchema.safeParse(readJson(file)).data
}

export function readBundleProgram(bundle: string): Program | undefined {
  return z.object({process: programSchema}).safeParse(readJson(join(bundle, 'config.json'))).data?.process
}

/** What is wrong with a program, as a process of the container sees it. */
export function findFaultOf(pid: number | undefined, program: Program | undefined): ExecutionFault | undefined {
  return pid === undefined || program === undefined ? undefined : findExecutionFault(`/proc/${pid}/root`, program)
}

export function toExecutionError(binary: string, verb: RuncVerb, fault: ExecutionFault | undefined): TallyError {
  const {code, message} = fault ?? {code: 'COMMAND_NOT_EXECUTABLE', message: 'the kernel has not executed the command'}
  return new TallyError(code, message, {details: {runtime: binary, verb}})
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readTextFile(file, mostSpecBytes))
  } catch {
    return undefined
  }
}
