/** Renders only the visible rows of a long list, and a few beyond. */
import {useEffect, useLayoutEffect, useRef, useState} from 'preact/hooks'

const beyond = 6

interface RowRange {
  readonly first: number
  /** Exclusive. */
  readonly end: number
}

export interface WindowRows extends RowRange {
  readonly list: {current: HTMLElement | null}
  /** Scrolls a row into view, below the bar at the top of the page. */
  reveal(index: number): void
}

/** @param rowHeight in pixels, the same for all rows */
export function useWindowRows(count: number, rowHeight: number): WindowRows {
  const list = useRef<HTMLElement>(null)
  const top = useRef(0)
  const [range, setRange] = useState<RowRange>({first: 0, end: Math.min(count, 24)})

  useLayoutEffect(() => {
    if (list.current) top.current = list.current.getBoundingClientRect().top + scrollY
    look()
  }, [count, rowHeight])

  useEffect(() => {
    let isWaiting = false
    const onMove = () => {
      if (isWaiting) return
      isWaiting = true
      requestAnimationFrame(() => {
        isWaiting = false
        look()
      })
    }
    const onResize = () => {
      if (list.current) top.current = list.current.getBoundingClientRect().top + scrollY
      onMove()
    }
    addEventListener('scroll', onMove, {passive: true})
    addEventListener('resize', onResize)
    return () => {
      removeEventListener('scroll', onMove)
      removeEventListener('resize', onResize)
    }
  })

  return {list, reveal, ...range}

  function look(): void {
    const offset = scrollY - top.current
    const first = Math.max(0, Math.floor(offset / rowHeight) - beyond)
    const end = Math.min(count, Math.ceil((offset + innerHeight) / rowHeight) + beyond)
    setRange((before) => (before.first === first && before.end === end ? before : {first, end}))
  }

  function reveal(index: number): void {
    const at = top.current + index * rowHeight
    const [above, below] = [scrollY + 130, scrollY + innerHeight - rowHeight - 16]
    if (at < above) scrollTo({top: at - 130})
    else if (at > below) scrollTo({top: at - innerHeight + rowHeight + 16})
  }
}
