/** Selects a moment of a container: step by step, by playing all events, or back to the present. */
import {useEffect, useState} from 'preact/hooks'
import {route as currentRoute, replaceRoute} from '../model/route.ts'
import type {Route} from '../model/route-path.ts'
import {toRestMs} from '../model/scale.ts'
import type {Moment} from './moment.ts'

export interface Travel {
  /** @param sequence undefined for the present */
  go(sequence: number | undefined): void
  step(by: number): void
  readonly isPlaying: boolean
  togglePlaying(): void
}

export function useTravel(route: Extract<Route, {readonly page: 'container'}>, moment: Moment | undefined): Travel {
  const [isPlaying, setPlaying] = useState(false)
  const last = moment?.timeline.events.length ?? 0
  const sequence = moment?.sequence ?? 0

  useEffect(() => {
    if (!isPlaying || !moment) return undefined
    if (moment.isNow) {
      setPlaying(false)
      return undefined
    }
    const [at, next] = [moment.event, moment.timeline.events[sequence]]
    const gapMs = at && next ? Date.parse(next.time) - Date.parse(at.time) : 0
    const timer = setTimeout(() => go(sequence >= last ? undefined : sequence + 1), toRestMs(gapMs))
    return () => clearTimeout(timer)
  }, [isPlaying, sequence, last, moment?.isNow])

  return {
    isPlaying,
    go: (to) => {
      setPlaying(false)
      go(to)
    },
    step: (by) => {
      setPlaying(false)
      // Read from the route, not from the last render: keys can arrive faster than renders.
      const next = Math.max(1, (currentAt() ?? last) + by)
      go(next > last ? undefined : next)
    },
    togglePlaying: () => {
      if (!isPlaying && moment?.isNow) go(1)
      setPlaying(!isPlaying)
    },
  }

  function currentAt(): number | undefined {
    return currentRoute.value.page === 'container' ? currentRoute.value.at : undefined
  }

  function go(to: number | undefined): void {
    const {at: _, ...now} = route
    replaceRoute(to === undefined ? now : {...now, at: to})
  }
}
