/** Another image of the shim takes over what a running one holds (docs/shim.md). */
import {readlinkSync, realpathSync} from 'node:fs'
import type {ShimControl} from './control.ts'
import {readShimVersion} from './version.ts'

/**
 * The connection ends when the image is replaced.
 * @returns `current`: the process runs that file already; `refused`: it goes on as it is
 * @throws ShimError when the shim cannot execute it
 */
export async function replaceImage(
  control: Pick<ShimControl, 'upgrade'>,
  {pid, image}: {readonly pid: number; readonly image: string},
): Promise<{readonly type: 'replaced' | 'current'} | {readonly type: 'refused'; readonly why: string}> {
  const running = `/proc/${pid}/exe`
  // Of a file that was replaced, the kernel says that it is deleted.
  if (readlinkSync(running) === realpathSync(image)) return {type: 'current'}
  const wanted = readShimVersion(image)
  if (!wanted) return {type: 'refused', why: `${image} is no shim, or cannot be executed`}
  const present = readShimVersion(running)
  if (!present || present.state > wanted.state) {
    const why = `the shim that runs hands over state ${present?.state ?? 'unknown'}, and ${image} reads up to ${wanted.state}`
    return {type: 'refused', why}
  }
  await control.upgrade(image)
  return {type: 'replaced'}
}
