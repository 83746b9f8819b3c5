"""`python -m deploy.grafana`: writes the dashboards."""

from deploy.grafana import DASHBOARDS, FOLDER

for dashboard in DASHBOARDS:
    (FOLDER / f"{dashboard.uid}.json").write_text(dashboard.json(), encoding="utf-8")
