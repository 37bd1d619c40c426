/** The states that the page shows: the top-level states of the chart, and `paused`, which the chart has inside `running`. Pure. */
import type {ContainerView} from '../../../../machines/views/view.ts'

export const shownStates = [
  'creating',
  'created',
  'starting',
  'running',
  'paused',
  'waiting',
  'stopped',
  'failed',
  'deleting',
  'deleted',
] as const
export type ShownState = (typeof shownStates)[number]

export function toShownState({state, pausedAt}: Pick<ContainerView, 'state' | 'pausedAt'>): ShownState {
  if (state === 'running' && pausedAt !== undefined) return 'paused'
  return shownStates.find((name) => name === state) ?? 'creating'
}

/** The name of a colour in `styles/tokens.css`. */
export type Tone = 'calm' | 'good' | 'held' | 'quiet' | 'bad' | 'moving' | 'gone'

const tones: Readonly<Record<ShownState, Tone>> = {
  creating: 'moving',
  created: 'calm',
  starting: 'moving',
  running: 'good',
  paused: 'held',
  waiting: 'held',
  stopped: 'quiet',
  failed: 'bad',
  deleting: 'moving',
  deleted: 'gone',
}

export function toTone(state: ShownState): Tone {
  return tones[state]
}

/** The colour of a container: red if it stopped with a status other than 0. */
export function toViewTone(view: Pick<ContainerView, 'state' | 'pausedAt' | 'exit'>): Tone {
  const isBad = view.state === 'stopped' && view.exit !== undefined && !(view.exit.type === 'code' && view.exit.code === 0)
  return isBad ? 'bad' : toTone(toShownState(view))
}
