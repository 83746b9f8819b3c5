"""Grafana's dashboards, described here and written as the JSON that Grafana provisions.

`panels` says what a panel is, `overview` and `worker` what the two dashboards show. After a change:
`python -m deploy.grafana`.
"""

from pathlib import Path
from typing import Final

from deploy.grafana.overview import OVERVIEW
from deploy.grafana.panels import Dashboard
from deploy.grafana.worker import WORKER

DASHBOARDS: Final[tuple[Dashboard, ...]] = (OVERVIEW, WORKER)
FOLDER: Final = Path(__file__).with_name("dashboards")
