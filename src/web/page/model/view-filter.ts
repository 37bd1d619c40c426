/** Filters and sorts containers. Pure. */
import type {ContainerView} from '../../../../machines/views/view.ts'
import {type ShownState, toShownState} from '../wording/state.ts'
import type {Usage} from './usage.ts'

export const sortKeys = ['newest', 'name', 'state', 'cpu', 'memory'] as const
export type SortKey = (typeof sortKeys)[number]

export interface ViewFilter {
  /** Words, each of which must occur in the id, the namespace, the node, the command or a label. */
  readonly text: string
  /** The listed states; empty for all. */
  readonly states: ReadonlySet<ShownState>
}

export function matchesFilter(view: ContainerView, {text, states}: ViewFilter): boolean {
  if (states.size > 0 && !states.has(toShownState(view))) return false
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return true
  const labels = Object.entries(view.labels ?? {}).map(([key, value]) => `${key}=${value}`)
  const searched = [view.id, view.namespace, view.node, ...view.args, ...labels].join(' ').toLowerCase()
  return words.every((word) => searched.includes(word))
}

/** @param usageOf called only when sorting by usage */
export function compareViews(key: SortKey, usageOf: (view: ContainerView) => Usage | undefined) {
  return (a: ContainerView, b: ContainerView): number => {
    switch (key) {
      case 'newest':
        return b.requestedAt.localeCompare(a.requestedAt) || byName(a, b)
      case 'name':
        return byName(a, b)
      case 'state':
        return toShownState(a).localeCompare(toShownState(b)) || byName(a, b)
      case 'cpu':
        return (usageOf(b)?.cpu.at(-1) ?? -1) - (usageOf(a)?.cpu.at(-1) ?? -1) || byName(a, b)
      case 'memory':
        return (usageOf(b)?.memory.at(-1) ?? -1) - (usageOf(a)?.memory.at(-1) ?? -1) || byName(a, b)
    }
  }
}

const collator = new Intl.Collator('en', {numeric: true})

function byName(a: ContainerView, b: ContainerView): number {
  return collator.compare(a.id, b.id) || collator.compare(a.namespace, b.namespace) || collator.compare(a.node, b.node)
}
