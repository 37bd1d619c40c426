import {useEffect} from 'preact/hooks'
import {signal} from '@preact/signals'
import {chosenUid, listedUids} from './listing.ts'
import {Row} from './row.tsx'
import {useWindowRows} from './use-window-rows.ts'

const narrow = matchMedia('(max-width: 760px)')
const rowHeight = signal(toRowHeight())
narrow.addEventListener('change', () => {
  rowHeight.value = toRowHeight()
})

/** MUST equal the height of `.row` in `styles/overview.css`. */
function toRowHeight(): number {
  return narrow.matches ? 86 : 62
}

export function List() {
  const uids = listedUids.value
  const height = rowHeight.value
  const {list, first, end, reveal} = useWindowRows(uids.length, height)
  const chosen = chosenUid.value
  useEffect(() => {
    const index = uids.indexOf(chosen ?? '')
    if (index !== -1) reveal(index)
    // Only when the selection changes: a row that moves because of sorting is not followed.
  }, [chosen])
  return (
    <ul ref={list as {current: HTMLUListElement | null}} class="rows" aria-label="Containers" style={{height: `${uids.length * height}px`}}>
      {uids.slice(first, end).map((uid, offset) => (
        <Row key={uid} uid={uid} index={first + offset} count={uids.length} top={(first + offset) * height} />
      ))}
    </ul>
  )
}
