/** What the runtime says that it has done. A program that is no OCI runtime can end without an error as well. */
import {readFile} from 'node:fs/promises'
import * as z from 'zod'
import {TallyError} from '../../kernel/errors.ts'
import type {RuntimeState} from '../oci-runtime.ts'
import {verbCodes} from './errors.ts'
import type {RuncVerb} from './verbs.ts'

const stateSchema = z.object({
  status: z.enum(['creating', 'created', 'running', 'paused', 'stopped']),
  pid: z.int().nonnegative().default(0),
})

/** Characters of stderr that a message has at most. */
const mostOutput = 500

/** @throws TallyError that of the verb, when there is none */
export async function readPid(binary: string, pidFile: string, verb: RuncVerb): Promise<number> {
  const pid = Number(await readFile(pidFile, 'utf8').catch(() => ''))
  if (Number.isInteger(pid) && pid > 0) return pid
  throw noRuntime(binary, verb, 'it ended without an error and named no process')
}

/** @throws TallyError RUNC_STATE_FAILED */
export function parseState(binary: string, text: string): RuntimeState {
  try {
    return stateSchema.parse(JSON.parse(text))
  } catch (cause) {
    throw noRuntime(binary, 'state', 'it printed no state of a container', cause)
  }
}

/** Adds what the program has written to stderr, in one line. */
export function withOutput(error: unknown, stderr: string): unknown {
  if (stderr === '' || !(error instanceof TallyError)) return error
  const line = stderr.replace(/\s+/g, ' ').slice(0, mostOutput)
  return new TallyError(error.code, `${error.message}; it wrote to stderr: ${line}`, {details: error.details, cause: error})
}

function noRuntime(binary: string, verb: RuncVerb, what: string, cause?: unknown): TallyError {
  return new TallyError(verbCodes[verb], `${binary} ${verb}: ${what}: expected an OCI runtime such as runc`, {
    details: {runtime: binary, verb},
    cause,
  })
}
