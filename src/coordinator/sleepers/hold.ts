/** How much the coordinator holds for supervisors that are waking: a limit for each container, and one for all of them. */
import {TallyError} from '../../kernel/errors.ts'
import {type KeptRequest, sizeOfRequest} from '../../messaging/kept-request.ts'

export interface HoldLimits {
  readonly mostRequests: number
  readonly mostBytes: number
  /** Of all containers together. */
  readonly mostBytesInAll: number
  /** After that a request is refused, and is not carried out any more. */
  readonly longestMs: number
}

export const usualHoldLimits: HoldLimits = {
  mostRequests: 1_000,
  mostBytes: 8 * 1024 * 1024,
  mostBytesInAll: 64 * 1024 * 1024,
  longestMs: 30_000,
}

export function sizeOfAll(requests: readonly KeptRequest[]): number {
  return requests.reduce((sum, request) => sum + sizeOfRequest(request), 0)
}

/**
 * @param held for the same container
 * @throws TallyError HOST_EXHAUSTED
 */
export function assertRoom(
  request: KeptRequest,
  {held, bytesInAll}: {readonly held: readonly KeptRequest[]; readonly bytesInAll: number},
  {mostRequests, mostBytes, mostBytesInAll}: HoldLimits,
): void {
  const bytes = sizeOfRequest(request)
  if (held.length >= mostRequests) throw exhausted(`${held.length} requests`, `${mostRequests}`)
  if (sizeOfAll(held) + bytes > mostBytes) throw exhausted(`${sizeOfAll(held)} bytes of requests`, `${mostBytes} bytes`)
  if (bytesInAll + bytes > mostBytesInAll) throw exhausted(`${bytesInAll} bytes of requests`, `${mostBytesInAll} bytes for all containers`)
}

function exhausted(what: string, most: string): TallyError {
  return new TallyError('HOST_EXHAUSTED', `${what} wait for a supervisor to wake, and no more than ${most} may: try again later`)
}
