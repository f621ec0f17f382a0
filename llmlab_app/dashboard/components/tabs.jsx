function Tabs({ label, labels, children }) {
  const [chosen, choose] = useState(0);
  const id = useId();
  const onKeyDown = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = (chosen + step + labels.length) % labels.length;
    choose(next);
    event.currentTarget.children[next].focus();
  };
  return (
    <>
      <div className="seg" role="tablist" aria-label={label} onKeyDown={onKeyDown}>
        {labels.map((name, number) => (
          <button
            key={name} type="button" role="tab" id={`${id}${number}`}
            aria-selected={number === chosen} aria-controls={`${id}panel`}
            tabIndex={number === chosen ? 0 : -1} onClick={() => choose(number)}
          >
            {name}
          </button>
        ))}
      </div>
      <div key={chosen} role="tabpanel" id={`${id}panel`} aria-labelledby={`${id}${chosen}`}>
        {[children].flat()[chosen]}
      </div>
    </>
  );
}
