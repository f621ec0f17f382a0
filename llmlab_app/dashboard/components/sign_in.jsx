function SignIn() {
  const [problem, setProblem] = useState("");
  const [isBusy, setBusy] = useState(false);
  const submit = async (event) => {
    event.preventDefault();
    setBusy(true);
    const password = new FormData(event.target).get("password");
    const answer = await fetch("/api/sessions", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ password }),
    }).catch(() => null);
    // The websocket sent its headers when it connected: only a new page brings the new cookie.
    if (answer?.ok) return window.location.assign("/");
    const reason = await answer?.json().catch(() => null);
    setProblem(reason?.detail ?? "The server can't be reached. Try again in a few seconds.");
    setBusy(false);
  };
  return (
    <form onSubmit={submit}>
      <input hidden readOnly autoComplete="username" value="owner" />
      <label className="field">
        <span>Owner password</span>
        <input
          className="input" type="password" name="password" autoComplete="current-password"
          required aria-invalid={problem ? "true" : undefined} aria-describedby="sign-in-problem"
        />
      </label>
      <span className="err-msg" id="sign-in-problem" role="alert">{problem}</span>
      <button className="btn primary block" disabled={isBusy}>{isBusy ? "Signing in…" : "Sign in"}</button>
    </form>
  );
}
