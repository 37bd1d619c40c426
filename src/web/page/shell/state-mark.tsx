import type {ContainerView} from '../../../../machines/views/view.ts'
import {toShownState, toViewTone} from '../wording/state.ts'

/** The state as a coloured word; it pulses while an effect is in flight. */
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
