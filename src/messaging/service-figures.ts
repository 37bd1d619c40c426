/**
 * What `$SRV.STATS` says of an endpoint. nats.js counts a request when its handler returns, which an asynchronous one does at once, and
 * an error when it throws, which one that answers itself never does: so the figures are our own, put in the place of those.
 */
import {performance} from 'node:perf_hooks'
import {type ErrorBody, errorKinds} from '../kernel/errors.ts'

export interface EndpointFigures {
  /** A request has come. Call what it returns in the turn in which it is answered: who has the answer finds it counted. */
  begin(): (failure?: ErrorBody) => void
  /** As ADR-32 has them; times in nanoseconds. */
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

/** Makes nats.js send them: it reads `stats` of the endpoint behind this. `endpoint` is what it hands to `statsHandler`. */
export function putFigures(endpoint: object, figures: EndpointFigures): void {
  if ('stats' in endpoint && typeof endpoint.stats === 'object' && endpoint.stats !== null) Object.assign(endpoint.stats, figures.read())
}
