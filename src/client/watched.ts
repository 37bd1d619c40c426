/** Requests of a follower: each asks for the output that comes after its reply to be published, and so renews what the one before asked for. */
import {setTimeout as sleep} from 'node:timers/promises'
import {toErrorBody} from '../kernel/errors.ts'
import {randomId} from './random-id.ts'
import type {ProcessClient, WatchOptions} from './types.ts'

/** Renewed three times before it lapses. */
const watchMs = 10_000
export const renewMs = 3_000
const letGoMs = 1_000
/** An offset behind all output: the request wants no bytes. */
const beyond = Number.MAX_SAFE_INTEGER

/** @throws TallyError as the request does */
export function watched<T>(request: (options: WatchOptions) => Promise<T>): Promise<T> {
  return ask(request, {watchMs})
}

/** One that a process which removes itself waits for, over several connections, until it has let go or has not asked for 10 s. */
export interface NamedReader {
  /** @throws TallyError as the request does */
  watched<T>(request: (options: WatchOptions) => Promise<T>): Promise<T>
  /** It has all that it wanted. Does not fail, and takes a second at most: what cannot be told does not wait for long. */
  letGo(process: ProcessClient): Promise<void>
}

export function createNamedReader(): NamedReader {
  const reader = randomId()
  return {
    watched: (request) => ask(request, {watchMs, reader}),
    letGo: async (process) => {
      const told = process.output('stdout', beyond, {watchMs: 0, reader, limitBytes: 1})
      await Promise.race([told.catch(() => {}), sleep(letGoMs, undefined, {ref: false})])
    },
  }
}

async function ask<T>(request: (options: WatchOptions) => Promise<T>, options: WatchOptions): Promise<T> {
  try {
    return await request(options)
  } catch (error) {
    // A supervisor of an earlier version does not know of it, and publishes always.
    if (toErrorBody(error).code !== 'INVALID_REQUEST') throw error
    return await request({})
  }
}
