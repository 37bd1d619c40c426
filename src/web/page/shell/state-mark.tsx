import type {ContainerView} from '../../../../machines/views/view.ts'
import {toShownState, toViewTone} from '../wording/state.ts'

/** State as a word with its colour; what is in flight pulses. */
export function StateMark({view}: {readonly view: ContainerView}) {
  const state = toShownState(view)
  const shown = view.inFlight && view.inFlight.state !== view.state ? view.inFlight.state : state
  return (
    <span class="state-mark" data-tone={toViewTone(view)} data-state={state} data-in-flight={view.inFlight !== undefined}>
      <span class="state-dot" aria-hidden="true" />
      {shown}
    </span>
  )
}
