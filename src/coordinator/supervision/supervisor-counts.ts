/**
 * How often supervisors were started and have died since this coordinator has known their shims: each shim counts for itself, from its own
 * start on, and what it counted goes with it.
 */
import type {ContainerName} from '../../layout/container-name.ts'
import type {ShimStatus} from '../../shim/client/control.ts'
import type {Shims} from './shims.ts'

export interface SupervisorCounts {
  readonly starts: number
  readonly deaths: number
}

type Counted = Pick<ShimStatus, 'starts' | 'deaths'>

const nothing: Counted = {starts: 0, deaths: 0}

/** @param exists whether there is such a container: of one that is gone nothing is kept */
export function createSupervisorCounts(
  shims: Pick<Shims, 'onStatus' | 'onEnd'>,
  exists: (name: ContainerName) => boolean,
): SupervisorCounts {
  const last = new Map<string, Counted>()
  let total = nothing

  shims.onStatus((name, {starts, deaths}) => {
    // What it counted before this coordinator knew it was counted by the one before, or is the first start, which is not a wake.
    const before = last.get(toKey(name)) ?? {starts, deaths}
    last.set(toKey(name), {starts, deaths})
    total = {starts: total.starts + since(starts, before.starts), deaths: total.deaths + since(deaths, before.deaths)}
  })
  shims.onEnd((name) => {
    if (exists(name)) last.set(toKey(name), nothing)
    else last.delete(toKey(name))
  })

  return {
    get starts() {
      return total.starts
    },
    get deaths() {
      return total.deaths
    },
  }
}

/** Another shim may have taken the place of one whose end was not seen: it counts from 0. */
function since(now: number, before: number): number {
  return now >= before ? now - before : now
}

function toKey({namespace, id}: ContainerName): string {
  return `${namespace}/${id}`
}
