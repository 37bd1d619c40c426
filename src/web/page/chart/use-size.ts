import {useLayoutEffect, useState} from 'preact/hooks'
import type {Size} from './camera.ts'

/** Of an element, as it changes; undefined before it is there. */
export function useSize(element: {readonly current: HTMLElement | null}): Size | undefined {
  const [size, setSize] = useState<Size | undefined>(undefined)
  useLayoutEffect(() => {
    if (!element.current) return undefined
    const observer = new ResizeObserver(([entry]) => {
      if (!entry) return
      const {width, height} = entry.contentRect
      if (width > 0 && height > 0) setSize({width, height})
    })
    observer.observe(element.current)
    return () => observer.disconnect()
  }, [])
  return size
}
