/** Requests of a follower: each asks for the output that comes after its reply to be published, and so renews what the one before asked for. */
import {setTimeout as sleep} from 'node:timers/promises'
import {toErrorBody} from '../kernel/errors.ts'
import {randomId} from './random-id.ts'
import type {WatchOptions} from './types.ts'

/** Renewed three times before it lapses. */
const watchMs = 10_000
export const renewMs = 3_000
const letGoMs = 1_000

/** @throws TallyError as the request does */
export async function watched<T>(request: (options: WatchOptions) => Promise<T>, options: WatchOptions = {watchMs}): Promise<T> {
  try {
    return await request(options)
  } catch (error) {
    // A supervisor of an earlier version does not know of it, and publishes always.
    if (toErrorBody(error).code !== 'INVALID_REQUEST') throw error
    return await request({})
  }
}

/** One that a process which removes itself waits for, over several connections, until it has let go or has not asked for 10 s. */
export interface NamedReader {
  /** @throws TallyError as the request does */
  watched<T>(request: (options: WatchOptions) => Promise<T>): Promise<T>
  /** It has all that it wanted. Does not fail, and takes a second at most: what cannot be told does not wait for long. */
  letGo(request: (options: WatchOptions) => Promise<unknown>): Promise<void>
}

export function createNamedReader(): NamedReader {
  const reader = randomId()
  return {
    watched: (request) => watched(request, {watchMs, reader}),
    letGo: async (request) => {
      await Promise.race([request({watchMs: 0, reader}).catch(() => {}), sleep(letGoMs, undefined, {ref: false})])
    },
  }
}
