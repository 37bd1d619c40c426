/**
 * First attempts that come after their retries. The coordinator keeps a request while the supervisor wakes; if the client has sent it again by
 * then, the retry may come here first, and is carried out. What the coordinator hands on afterwards is the same request, not another one.
 */
import type {Clock} from '../../kernel/clock.ts'
import type {Asked, Endpoint} from '../../messaging/services.ts'

/** Longer than the coordinator keeps a request. */
const rememberMs = 60_000

/** @returns a wrapper for the endpoints of one container */
export function createLateAttempts(clock: Pick<Clock, 'elapsed'>): (endpoint: Endpoint) => Endpoint {
  /** When a retry was last received, by its key; oldest first. */
  const retried = new Map<string, number>()
  return (endpoint) => ({
    ...endpoint,
    handle: (bytes, origin, message) => {
      const key = toKey(endpoint, origin)
      if (origin.isRetry) note(key)
      const isLate = message.isHandedOn && isKnown(key)
      return endpoint.handle(bytes, isLate ? {...origin, isRetry: true} : origin, message)
    },
  })

  function note(key: string): void {
    retried.delete(key)
    retried.set(key, clock.elapsed())
    for (const [oldest, atMs] of retried) {
      if (atMs + rememberMs > clock.elapsed()) break
      retried.delete(oldest)
    }
  }

  function isKnown(key: string): boolean {
    const atMs = retried.get(key)
    return atMs !== undefined && atMs + rememberMs > clock.elapsed()
  }
}

function toKey({name}: Endpoint, {actor, correlationId}: Asked): string {
  return JSON.stringify([name, actor, correlationId])
}
