/** Moves the view by dragging, zooms with ctrl and the wheel. Browsers report a pinch on a touchpad as ctrl and wheel. Touch scrolls the page. */
import {useEffect, useRef} from 'preact/hooks'
import {type Camera, zoom} from './camera.ts'

export function useDragging(
  panel: {readonly current: HTMLElement | null},
  camera: Camera | undefined,
  onMove: ((camera: Camera) => void) | undefined,
): void {
  const latest = useRef(camera)
  latest.current = camera
  useEffect(() => {
    const element = panel.current
    if (!element || !onMove) return undefined
    const abort = new AbortController()
    const listen = {signal: abort.signal}
    element.addEventListener(
      'pointerdown',
      (event) => {
        const from = latest.current
        if (event.pointerType === 'touch' || event.button !== 0 || !from || isControl(event.target)) return
        event.preventDefault()
        const ended = new AbortController()
        addEventListener('pointerup', () => ended.abort(), {signal: ended.signal})
        addEventListener(
          'pointermove',
          ({clientX, clientY}) => {
            const [x, y] = [(clientX - event.clientX) / from.scale, (clientY - event.clientY) / from.scale]
            if (Math.abs(x) + Math.abs(y) > 4) onMove({...from, x: from.x - x, y: from.y - y})
          },
          {signal: ended.signal},
        )
      },
      listen,
    )
    element.addEventListener(
      'wheel',
      (event) => {
        const from = latest.current
        if (!event.ctrlKey || !from) return
        event.preventDefault()
        const box = element.getBoundingClientRect()
        const at = {
          x: from.x + (event.clientX - box.left - box.width / 2) / from.scale,
          y: from.y + (event.clientY - box.top - box.height / 2) / from.scale,
        }
        onMove(zoom(from, Math.exp(-event.deltaY / 240), at))
      },
      {...listen, passive: false},
    )
    return () => abort.abort()
  }, [])
}

function isControl(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('button, .chart-command') !== null
}
