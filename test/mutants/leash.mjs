// For a run of tests in a process group of its own: ends the group when whoever started it is gone, however it went.
// A test that never ends would otherwise go on by itself. The workers have a channel to their parent: they are ended
// with the group.
if (process.send === undefined) {
  process.stdin.resume().on("end", () => process.kill(-process.pid, "SIGKILL"))
  process.stdin.unref()
}
