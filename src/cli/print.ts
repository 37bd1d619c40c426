import type {ErrorBody} from '../kernel/errors.ts'

export function printJson(value: unknown): void {
  process.stdout.write(`${toPrettyJson(value)}\n`)
}

export function toPrettyJson(value: unknown): string {
  return JSON.stringify(value, undefined, 2)
}

/** One line of JSON, for a stream of results. */
export function printJsonLine(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value)}\n`)
}

export function printError(error: ErrorBody, {json}: {readonly json: boolean}): void {
  if (json) process.stderr.write(`${JSON.stringify({error})}\n`)
  else process.stderr.write(`tally: ${error.message} [${error.code}]\n`)
}

/** Prints the protections that this host cannot give a container. */
export function printLacks({confinement}: {readonly confinement?: {readonly lacks?: readonly string[] | undefined} | undefined}): void {
  for (const lack of confinement?.lacks ?? []) printNote(`warning: ${lack}`)
}

export function printNote(text: string): void {
  process.stderr.write(`tally: ${text}\n`)
}
