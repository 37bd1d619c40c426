/** A root file system of a static busybox: what containers of tests and of the demo are made from. */
import {execFileSync} from 'node:child_process'
import {copyFileSync, mkdirSync, symlinkSync, writeFileSync} from 'node:fs'
import {join} from 'node:path'

/** Makes `<dir>/rootfs`, and returns its path. @throws Error when there is no static busybox */
export function makeBusyboxRootfs(dir: string): string {
  const rootfs = join(dir, 'rootfs')
  for (const name of ['bin', 'dev', 'etc', 'proc', 'root', 'sys', 'tmp']) mkdirSync(join(rootfs, name), {recursive: true})
  const busybox = findBusybox()
  copyFileSync(busybox, join(rootfs, 'bin/busybox'))
  const applets = execFileSync(busybox, ['--list'], {encoding: 'utf8'}).trim().split('\n')
  for (const applet of applets) if (applet !== 'busybox') symlinkSync('busybox', join(rootfs, 'bin', applet))
  writeFileSync(join(rootfs, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/sh\n')
  writeFileSync(join(rootfs, 'etc/group'), 'root:x:0:\nnogroup:x:65534:\nstaff:x:50:nobody\n')
  return rootfs
}

function findBusybox(): string {
  const found = ['/bin/busybox', '/usr/bin/busybox'].find((path) => isStatic(path))
  if (!found) throw new Error('expected a static busybox in /bin: apt-get install busybox-static')
  return found
}

/** ldd fails for what is not dynamically linked, and for what is not there. */
function isStatic(path: string): boolean {
  try {
    execFileSync(path, ['true'], {stdio: 'ignore'})
  } catch {
    return false
  }
  try {
    execFileSync('ldd', [path], {stdio: 'ignore'})
    return false
  } catch {
    return true
  }
}
