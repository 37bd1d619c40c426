import {containerUids, findView} from '../model/containers.ts'
import {go} from '../model/route.ts'
import {toShownState, toViewTone} from '../wording/state.ts'
import {stateCounts} from './listing.ts'
import {toRoute} from './row.tsx'

/** One block for each container, in the colour of its state. For screen readers, one image with the count of each state. */
export function StateBlocks() {
  const label = stateCounts.value.map(([state, count]) => `${count} ${state}`).join(', ')
  return (
    <div class="state-blocks" role="img" aria-label={label}>
      {containerUids.value.map((uid) => (
        <Block key={uid} uid={uid} />
      ))}
    </div>
  )
}

function Block({uid}: {readonly uid: string}) {
  const view = findView(uid)?.value
  if (!view) return null
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: a shortcut for the mouse; the list has links
    // biome-ignore lint/a11y/noStaticElementInteractions: as above
    <span
      class="block"
      data-tone={toViewTone(view)}
      data-in-flight={view.inFlight !== undefined}
      title={`${view.id}: ${toShownState(view)}`}
      onClick={() => go(toRoute(view))}
    />
  )
}
