import type {ContainerView} from '../../machines/views/view.ts'
import {sizeOf, takePage} from './page.ts'

/**
 * The view of a container, cut to fit into a reply: if there are too many added processes, the last of them are left out.
 * @param room bytes of the reply
 */
export function fitView(view: ContainerView, room: number): ContainerView {
  const {execs = [], ...rest} = view
  const left = room - sizeOf(rest)
  const page = takePage(execs, {room: left})
  const shown = sizeOf(page) > left ? [] : page
  const missing = execs[shown.length]
  if (!missing) return view
  return {...rest, ...(shown.length > 0 && {execs: [...shown]}), nextExec: missing.exec}
}
