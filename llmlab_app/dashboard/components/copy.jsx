// Browsers offer the clipboard to secure pages only; plain http on a LAN copies the old way.
async function copyText(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = Object.assign(document.createElement("textarea"), { value: text });
  document.body.append(field);
  field.select();
  document.execCommand("copy");
  field.remove();
}

function CopyButton({ text, children }) {
  const [label, setLabel] = useState("Copy");
  const say = (word) => {
    setLabel(word);
    setTimeout(() => setLabel("Copy"), 2000);
  };
  const copy = () => copyText(text).then(() => say("Copied"), () => say("Select and copy by hand"));
  return (
    <button type="button" className="btn" onClick={copy}>
      {children}
      <span aria-live="polite">{label}</span>
    </button>
  );
}
