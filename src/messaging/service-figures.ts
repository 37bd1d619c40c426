/**
 * The figures of `$SRV.STATS` for an endpoint. nats.js counts a request when its handler returns, which an asynchronous handler does at once,
 * and an error when it throws, which a handler that replies itself never does. So they are counted here and replace those of nats.js.
 */
import {performance} from 'node:perf_hooks'
import {type ErrorBody, errorKinds} from '../kernel/errors.ts'

export interface EndpointFigures {
  /** A request was received. Call the returned function in the same turn as the reply is sent: a client with a reply finds it counted. */
  begin(): (failure?: ErrorBody) => void
  /** As in ADR-32; times in nanoseconds. */
  read(): {
    readonly num_requests: number
    readonly num_errors: number
    readonly last_error: string | undefined
    readonly processing_time: number
    readonly average_processing_time: number
  }
}

export function createEndpointFigures(): EndpointFigures {
  let [requests, errors, totalMs] = [0, 0, 0]
  let lastError: string | undefined
  return {
    begin: () => {
      const begun = performance.now()
      return (failure) => {
        requests += 1
        totalMs += performance.now() - begun
        if (!failure) return
        errors += 1
        lastError = `${errorKinds[failure.kind]} ${failure.code}: ${failure.message}`
      }
    },
    read: () => {
      const nanoseconds = Math.round(totalMs * 1e6)
      return {
        num_requests: requests,
        num_errors: errors,
        last_error: lastError,
        processing_time: nanoseconds,
        average_processing_time: requests === 0 ? 0 : Math.round(nanoseconds / requests),
      }
    },
  }
}

/** Makes nats.js send them: after its `statsHandler`, which gets `endpoint`, it reads the `stats` of that. */
export function putFigures(endpoint: object, figures: EndpointFigures): void {
  if ('stats' in endpoint && typeof endpoint.stats === 'object' && endpoint.stats !== null) Object.assign(endpoint.stats, figures.read())
}
