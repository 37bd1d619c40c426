/**
 * Finds out whether the kernel has executed the program that runc started. runc exits with 0 before execve(2). Whether that succeeds,
 * only the name of the process shows: execve sets it to that of the program, and a zombie keeps its last name.
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
 * Waits for execve, since hooks of the container may run before it.
 * @returns false when the process ended without execve; true also when the time is over, or when the process cannot be read
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

/** Whether it is a zombie that never executed the program. */
export function hasFailedToExecute(pid: number): boolean {
  return readProcessStat(pid)?.isZombie === true && isRuncs(pid)
}

/** runc names this process `runc:[2:INIT]`. */
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

/** Looks at the program in the root file system of a process of the container. */
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
