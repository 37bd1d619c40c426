/** Requests of a follower: each asks for the output that comes after its reply to be published, and so renews what the one before asked for. */
import {toErrorBody} from '../kernel/errors.ts'
import type {WatchOptions} from './types.ts'

/** Renewed three times before it lapses. */
const watchMs = 10_000
export const renewMs = 3_000

/** @throws TallyError as the request does */
export async function watched<T>(request: (options: WatchOptions) => Promise<T>): Promise<T> {
  try {
    return await request({watchMs})
  } catch (error) {
    // A supervisor of an earlier version does not know of it, and publishes always.
    if (toErrorBody(error).code !== 'INVALID_REQUEST') throw error
    return await request({})
  }
}
