// How long ago a call came in, counted on in the browser between two pushes.
// Mirrors formatting.age; a browser test compares the two.
const ageTicks = new Set();
if (typeof window !== "undefined") setInterval(() => ageTicks.forEach((tick) => tick()), 1000);

function formatAge(elapsed) {
  const seconds = Math.max(0, Math.floor(elapsed));
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${String(seconds % 60).padStart(2, "0")}s`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86400)}d`;
}

// `at` and `now` are the server's seconds. `now` was read when the row was sent, so a wrong clock
// on this machine does no harm.
function Age({ at, now, suffix = "" }) {
  const [, redraw] = useState(0);
  const skew = useMemo(() => now - Date.now() / 1000, [now]);
  useEffect(() => {
    const tick = () => redraw((count) => count + 1);
    ageTicks.add(tick);
    return () => ageTicks.delete(tick);
  }, []);
  return formatAge(Date.now() / 1000 + skew - at) + suffix;
}
