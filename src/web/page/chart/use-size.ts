import {useLayoutEffect, useState} from 'preact/hooks'
import type {Size} from './camera.ts'

/** The current size of an element; undefined before it is rendered. */
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
