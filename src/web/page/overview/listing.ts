/** Which containers are listed, in which order, and which one is selected. */
import {computed, signal} from '@preact/signals'
import type {ContainerView} from '../../../../machines/views/view.ts'
import {containerUids, findView} from '../model/containers.ts'
import {usageOf} from '../model/stats.ts'
import {compareViews, matchesFilter, type SortKey} from '../model/view-filter.ts'
import {type ShownState, shownStates, toShownState} from '../wording/state.ts'

export const filterText = signal('')
export const filterStates = signal<ReadonlySet<ShownState>>(new Set())
export const sortKey = signal<SortKey>('newest')
export const chosenUid = signal<string | undefined>(undefined)

const allViews = computed<readonly ContainerView[]>(() => containerUids.value.flatMap((uid) => findView(uid)?.value ?? []))

/** Uids of the listed containers, in order. */
export const listedUids = computed<readonly string[]>(() => {
  const filter = {text: filterText.value, states: filterStates.value}
  const compare = compareViews(sortKey.value, (view) => usageOf(view).value)
  return allViews.value
    .filter((view) => matchesFilter(view, filter))
    .sort(compare)
    .map(({uid}) => uid)
})

/** The nodes that have containers. */
export const nodes = computed<readonly string[]>(() => [...new Set(allViews.value.map(({node}) => node))])

/** The number of containers in each state, before filtering. States without containers are left out unless they are part of the filter. */
export const stateCounts = computed<readonly (readonly [ShownState, number])[]>(() => {
  const counts = Map.groupBy(allViews.value, toShownState)
  return shownStates.flatMap((state) => {
    const count = counts.get(state)?.length ?? 0
    return count > 0 || filterStates.value.has(state) ? [[state, count] as const] : []
  })
})

export function toggleState(state: ShownState): void {
  const next = new Set(filterStates.value)
  if (!next.delete(state)) next.add(state)
  filterStates.value = next
}

export function clearFilter(): void {
  filterText.value = ''
  filterStates.value = new Set()
}

/** @returns the uid of the selected container */
export function chooseBy(step: number): string | undefined {
  const uids = listedUids.value
  const index = uids.indexOf(chosenUid.value ?? '')
  const next = index === -1 ? 0 : Math.min(uids.length - 1, Math.max(0, index + step))
  chosenUid.value = uids[next]
  return chosenUid.value
}
