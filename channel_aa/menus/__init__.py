"""What callers can be offered, as data: menus, actions, routes and schedules."""
