// The cookie ends on the server; a new page forgets what the old one showed.
function SignOut({ children }) {
  const leave = () =>
    fetch("/api/sessions/current", { method: "DELETE" }).finally(() => location.assign("/login"));
  return (
    <button type="button" className="icon-btn" aria-label="Sign out" title="Sign out" onClick={leave}>
      {children}
    </button>
  );
}
