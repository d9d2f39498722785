// Draws what the tables say. Without this script the page has the tables, open.
(function () {
  'use strict';
  if (typeof Chart === 'undefined') return;
  const figures = JSON.parse(document.getElementById('figures').textContent);
  const charts = [];

  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  const number = new Intl.NumberFormat('en').format;

  function draw(plot, labels, values, colors, lying) {
    const canvas = document.createElement('canvas');
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-label', 'Chart; the table below it has the same figures');
    plot.appendChild(canvas);
    plot.hidden = false;
    plot.style.height = lying ? `${labels.length * 1.9 + 1.6}rem` : '15rem';
    const room = plot.clientWidth < 420 ? 18 : plot.clientWidth < 700 ? 30 : 60;
    // Pages and sites differ at their ends.
    const shorten = (text) => (text.length > room ? '…' + text.slice(text.length - room + 1) : text);
    const chart = new Chart(canvas, {
      type: 'bar',
      data: { labels, datasets: [{ data: values, maxBarThickness: 26, borderRadius: 2 }] },
      options: {
        indexAxis: lying ? 'y' : 'x',
        animation: false,
        responsive: true,
        maintainAspectRatio: false,
        plugins: {
          legend: { display: false },
          tooltip: { callbacks: { label: (item) => `${number(item.raw)} sessions` } },
        },
        scales: {
          [lying ? 'x' : 'y']: { beginAtZero: true, ticks: { maxTicksLimit: 6, precision: 0 } },
          [lying ? 'y' : 'x']: {
            grid: { display: false },
            ticks: { autoSkip: !lying, maxRotation: 0, callback(index) { return shorten(this.getLabelForValue(index)); } },
          },
        },
      },
    });
    chart.colors = colors;
    charts.push(chart);
  }

  function paint() {
    for (const chart of charts) {
      chart.data.datasets[0].backgroundColor = chart.colors.map(color);
      for (const scale of Object.values(chart.options.scales)) {
        scale.ticks.color = color('--quiet');
        scale.grid = Object.assign({}, scale.grid, { color: color('--line'), borderColor: color('--line') });
      }
      chart.update();
    }
  }

  const bars = (rows) => rows.map((row) => (row.other ? '--bar-other' : '--bar'));
  const plain = (rows) => rows.map(() => '--bar');

  for (const plot of document.querySelectorAll('.plot')) {
    const name = plot.dataset.of;
    if (name === 'days') {
      draw(plot, figures.days.map((day) => day.day.slice(5)), figures.days.map((day) => day.sessions || 0), plain(figures.days), false);
    } else if (name === 'earlier') {
      const all = figures.earlier.concat({ period: figures.period, sessions: figures.sessions });
      draw(plot, all.map((one) => one.period), all.map((one) => one.sessions),
           all.map((one, i) => (i === all.length - 1 ? '--bar' : '--bar-other')), false);
    } else if (name === 'hours') {
      const named = figures.hours.filter((row) => !row.other);
      const hours = Array.from({ length: 24 }, (_, hour) => String(hour).padStart(2, '0'));
      const values = hours.map((hour) => (named.find((row) => row.value === hour) || { sessions: 0 }).sessions);
      draw(plot, hours, values, plain(hours), false);
    } else {
      const rows = figures[name].slice(0, 12);
      draw(plot, rows.map((row) => (row.other ? 'all others' : row.value)), rows.map((row) => row.sessions), bars(rows), true);
    }
  }
  paint();
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', paint);
  // A table that has more than its chart stays open.
  for (const details of document.querySelectorAll('details')) details.open = details.querySelector('.part') !== null;
  addEventListener('beforeprint', () => { for (const details of document.querySelectorAll('details')) details.open = true; });
})();
